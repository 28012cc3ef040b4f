"""From an export to an adapter, with its metrics and its loss curve."""
