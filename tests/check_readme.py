#!/usr/bin/env python3
"""Checks that the documentation agrees with the program and that its links are valid.

    check_readme.py [--update] PROGRAM PAGE|DIR...

A directory stands for the pages (*.md) in it. The text between the lines `<!-- paced ARGUMENTS -->` and `<!-- end -->` must
be the output of `PROGRAM ARGUMENTS`; a code fence around it is allowed. --update writes the program's output into the pages
instead of comparing. Relative links must lead to files, and their anchors to headings. The exit status is 1 if a block is
out of date, a link is broken, or no page has the table of keys.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"(<!-- paced (.*?) -->\n)(.*?)(\n?<!-- end -->)", re.DOTALL)
FENCED = re.compile(r"\s*(```\w*\n)(.*?)(```)\s*", re.DOTALL)
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
KEYS = "config --keys --markdown"


def said(program, arguments):
    done = subprocess.run([program] + shlex.split(arguments), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"paced {arguments}: status {done.returncode}: {done.stderr.rstrip()}")
    return done.stdout.strip() + "\n"


def renewed(program, text):
    """The page with every marked block as the program prints it now, and the blocks' arguments."""
    names = []

    def block(found):
        head, arguments, body, tail = found.groups()
        names.append(arguments)
        fence = FENCED.fullmatch(body)
        opening, closing = (fence.group(1), "```") if fence else ("", "")
        return head + opening + said(program, arguments) + closing + "\n" * bool(fence) + tail.lstrip("\n")

    return BLOCK.sub(block, text), names


def stale_line(page, old, new):
    """The first difference, as a list of faults."""
    pairs = enumerate(zip(old.splitlines() + [""], new.splitlines() + [""]), 1)
    first = next((f"{page}:{i}: {a!r} should be {b!r}" for i, (a, b) in pairs if a != b), f"{page}: its length is wrong")
    return [f"{first}; renew it with tests/check_readme.py --update PROGRAM {page}"]


def anchors(text):
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {"-".join(re.sub(r"[^\w\s-]", "", heading.lower()).split()) for heading in headings}


def broken_links(pages):
    """Faults and the number of links. `pages`: {path: text}, paths resolved."""
    faults, count = [], 0
    for page, text in pages.items():
        for link in LINK.findall(CODE.sub("", FENCE.sub("", text))):
            if "://" in link:
                continue
            count += 1
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.exists():
                faults.append(f"{os.path.relpath(page)}: link to {link}: no such file")
            elif anchor and anchor not in anchors(pages[target] if target in pages else target.read_text()):
                faults.append(f"{os.path.relpath(page)}: link to {link}: no such heading")
    return faults, count


def find_pages(names):
    """The resolved paths of the pages."""
    paths = [pathlib.Path(name).resolve() for name in names]
    return [page for path in paths for page in (sorted(path.glob("*.md")) if path.is_dir() else [path])]


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    if len(arguments) < 2:
        sys.exit(__doc__)
    pages, blocks, faults = {}, [], []
    for page in find_pages(arguments[1:]):
        old = page.read_text()
        pages[page], names = renewed(arguments[0], old)
        blocks += names
        if "--update" in sys.argv:
            page.write_text(pages[page])
        elif pages[page] != old:
            faults += stale_line(os.path.relpath(page), old, pages[page])
    if KEYS not in blocks:
        faults.append(f"no block <!-- paced {KEYS} -->")
    broken, links = broken_links(pages)
    faults += broken
    for fault in faults:
        print(fault)
    print(f"{len(pages)} pages, {len(blocks)} blocks, {links} links, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
