"""The review desk's parts that every view uses: the session, keys and actions, markup.

In: the store. Out: Streamlit elements. The views are in ``views/``.
"""
