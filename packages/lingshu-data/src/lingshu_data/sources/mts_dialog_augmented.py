"""MTS-Dialog, augmented: its training conversations translated to French and back."""

from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source
from lingshu_data.sources.mts_dialog import records

SOURCE = Source(
    card=Card(
        title="MTS-Dialog, augmented",
        part=("more",),
        what="Training conversations of MTS-Dialog with their translations to French and back.",
        size="2,402 conversations",
        licence="CC-BY-4.0",
        access="open",
        home="https://github.com/abachaa/MTS-Dialog",
        citation="Ben Abacha et al., MTS-Dialog, EACL 2023.",
        layout="`augmented_en_fr_en.csv` with the columns of the training set; seen in a copy",
        rank=60,
    ),
    reader=Table(("**/augmented_en_*.csv",), splits={"augmented": "train"}),
    records=records,
    example={
        "ID": "0",
        "section_header": "CC",
        "section_text": "Congestion and cough.",
        "dialogue": "Doctor: Hi, how do you do?\nPatient: Not well.\nDoctor: What happened?",
        "split": "train",
    },
)
