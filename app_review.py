"""The review desk: `make review`, or `streamlit run app_review.py --server.address 127.0.0.1`.

The views are in `annotations/ui/views/`; what they show and change is in `annotations/store/`.
"""

from annotations.ui.views.app import main

main()
