"""Tests of curation/faults."""
