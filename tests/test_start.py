"""
The order in which Milepost starts.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STARTED = """
import sys
import milepost
def seen(*_):
    print("dashboard.serve" in sys.modules, hasattr(sys.modules.get("pandas"), "Series"))
    raise SystemExit
milepost.migrate.migrate = seen
sys.argv = ["milepost", "up"]
milepost.main()
"""


def test_the_pages_code_is_loaded_before_anything_is_written(tmp_path: Path) -> None:
    """
    The driver imports pandas when it first inserts. Where that crossed the import of Streamlit, Plotly found half a pandas, and
    `milepost up` died with a traceback, now and then and on busy machines mostly.
    """
    (tmp_path / "milepost.toml").write_text(f'data = "{tmp_path}"\nstore = "chdb://{tmp_path}/store"\n', "utf-8")
    done = subprocess.run([sys.executable, "-c", STARTED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True True", done.stderr
