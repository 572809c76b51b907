"""The report as one page of HTML: no server, no file beside it, nothing fetched."""
