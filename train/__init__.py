"""From an export to a trained adapter, its evaluation, its merged model and its GGUF files.

In: ``datasets/export/<version>``. Out: ``models/<run>``. The modules directly here are shared by all folders. May
import the modules directly in ``curation/``.
"""
