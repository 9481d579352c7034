"""Imports a framework that nobody has, without saying so."""
import no_such_framework
def forward(x, layers):
    return x
