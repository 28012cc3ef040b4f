"""Documents: web pages, EPUB, DOCX, PDF and MediaWiki exports."""
