"""Documents: web pages, EPUB, DOCX, PDF with a text layer, and what MediaWiki exports.

In: a SourceFile. Out: Imported. Each finds its paragraphs; ``formats/scripts`` reads who says them.
"""
