"""Exam questions as pictures: notation, fonts, layout, paper (paper, section 2.2.2)."""
