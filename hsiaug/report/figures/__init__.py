"""Pictures of reports for papers and pages, drawn with matplotlib, and how they become files."""
