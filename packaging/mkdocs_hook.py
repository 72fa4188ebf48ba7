"""Hook of mkdocs.yml: pages have their paths in the repository, so that README.md is the site's first page and relative
links are the same in the repository and on the site."""
import os
import pathlib

from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTSIDE_DOCS = "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md"


def on_files(files, config):
    theme = [file for file in files if not file.abs_src_path.startswith(config["docs_dir"] + os.sep)]
    docs = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*")) if path.is_file()]
    pages = [File(path, str(ROOT), config["site_dir"], config["use_directory_urls"]) for path in [*OUTSIDE_DOCS, *docs]]
    return Files([*theme, *pages])
