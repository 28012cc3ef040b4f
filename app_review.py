"""The review desk: `make review`, or `streamlit run app_review.py --server.address 127.0.0.1`.

Streamlit imports this file once, for the server with its routes, and runs it for each page. The views are in
`annotations/ui/views/`; what they show and change is in `annotations/store/`.
"""

from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is not None:
    from annotations.ui.views.app import main

    main()
else:
    from streamlit.starlette import App

    from annotations.desk_api.routes import desk_routes
    from annotations.ui.access import address, way

    app = App(__file__, routes=desk_routes(address(), way))
