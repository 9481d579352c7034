"""Never comes back."""
def forward(x, layers):
    while True:
        pass
