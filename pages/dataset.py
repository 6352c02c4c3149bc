"""Dataset."""

import streamlit as st

st.title("Dataset", anchor=False)
