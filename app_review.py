"""The review desk: `make review`, or `streamlit run app_review.py --server.address 127.0.0.1`.

The pages are in `annotations/ui/`, what they show and change in `annotations/store/review_store.py`.
"""

from annotations.ui.views.app import main

main()
