"""A parser of report.html: the tables, charts and figures of the page."""
import html.parser

VOID = {"meta", "img"}


class Page(html.parser.HTMLParser):
    """The contents of a page; malformed nesting is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.text = [], [], [], []
        self.tables, self.charts, self.figures, self.title = {}, [], [], ""
        self.table = None
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "table":
            self.table = self.tables.setdefault(attributes["id"], [])
        elif tag == "tr":
            self.table.append([])
        elif tag in ("th", "td"):
            self.table[-1].append({"text": "", "values": [], "scope": attributes.get("scope"), "tag": tag})
        elif tag == "data":
            self.figures.append([attributes["value"], ""])
            if self.table:
                self.table[-1][-1]["values"].append(attributes["value"])
        elif tag == "svg" and attributes.get("role") == "img":
            self.charts.append({"label": [], "title": "", "lines": 0})
        elif tag == "path" and "svg" in self.open and "li" not in self.open:
            self.charts[-1]["lines"] += attributes["class"] == "line"
        elif tag == "text" and attributes.get("class") == "label middle":
            self.charts[-1]["label"].append("")

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> within {self.open}"
        self.open.pop()
        if tag == "table":
            self.table = None

    def handle_data(self, data):
        self.text.append(data)
        if self.open[-1:] == ["title"] and "svg" not in self.open:
            self.title += data
        if self.table and "tr" in self.open and ("th" in self.open or "td" in self.open):
            self.table[-1][-1]["text"] += data
        if self.open[-1:] == ["data"]:
            self.figures[-1][1] += data
        if self.open[-1:] == ["text"] and self.charts[-1]["label"]:
            self.charts[-1]["label"][-1] += data
        if self.open[-2:] == ["svg", "title"]:
            self.charts[-1]["title"] += data
