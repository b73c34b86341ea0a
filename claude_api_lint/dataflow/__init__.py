"""What an expression of the analysed program is: abstract values, names, calls and objects, evaluated on demand."""
