"""The pages of the review desk. Streamlit is imported here and nowhere else; the truth stays in the store."""
