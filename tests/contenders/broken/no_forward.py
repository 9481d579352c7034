"""Has no forward."""
def forwards(x, layers):
    return x
