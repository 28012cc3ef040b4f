"""What the routes of OpenAI's API are made of: messages and parameters that come in, JSON and chunks that go out.

In: checked bodies and events. Out: turns, settings, responses. Imports the engine interface and ``serve.schema``; knows
no request.
"""
