"""Pages of the planning report: one file per page, `page(run) -> Page`; `document.py` binds them."""
