"""What is measured: one program per peer. None of them knows that it is measured, and none is run by
import."""
