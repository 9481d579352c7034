"""Says a lot on its way out."""
import sys
def forward(x, layers):
    sys.stderr.write("\x1b[31m" + "no" * 3_000_000)
    sys.stderr.flush()
    raise SystemExit(9)
