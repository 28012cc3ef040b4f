"""Subtitles: cues with times, and sometimes a speaker."""
