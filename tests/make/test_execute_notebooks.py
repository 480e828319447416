import nbformat
from execute_notebooks import VIEW, clean, mark_slides

v4 = nbformat.v4


def test_sections_become_slides():
    texts = ["**Lesson 99**", "# Title", "## Section", "Text", "### Part", "#hash"]
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell(text) for text in texts])
    notebook.cells[2:2] = [v4.new_code_cell("set_up()"), v4.new_code_cell("# play\nplay()")]
    mark_slides(notebook)
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in notebook.cells]
    assert kinds == ["skip", "slide", "skip", "-", "slide", "-", "subslide", "-"]


def test_what_needs_a_kernel_is_dropped_and_a_picture_keeps_its_alt_text():
    alt = {"image/png": {"alt": "Two humps"}}
    outputs = [
        v4.new_output("display_data", {VIEW: {}, "text/plain": "Panel()"}),
        v4.new_output("display_data", {VIEW: {}, "image/png": ""}, metadata=alt),
        v4.new_output("stream", name="stderr", text="100%"),
        v4.new_output("stream", name="stdout", text="kept"),
    ]
    cell = v4.new_code_cell("panel", outputs=outputs, metadata={"execution": {"iopub.execute_input": "now"}})
    notebook = v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    clean(notebook)
    picture, text = notebook.cells[0].outputs
    assert set(picture.data) == {"image/png"} and picture.metadata == alt and text.text == "kept"
    assert notebook.metadata == {} == notebook.cells[0].metadata
