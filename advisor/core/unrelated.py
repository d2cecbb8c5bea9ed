"""Sentences that have nothing to do with each other, and what a known sentence encoder makes of them.

Data, in our own words; no two end in the same word, and none in a full stop, because some models are read at their
last token. The one idea: two of these mean different things, so their embeddings should have a cosine near zero; where
all cosines are high, the vectors crowd into a cone and a high cosine says nothing.
"""

from __future__ import annotations

from advisor.core.inspection import Reference

SENTENCES: tuple[str, ...] = (
    "The ferry leaves the harbour twice a day in winter",
    "Stir the lentils until the onions are soft",
    "Her grandfather repaired watches in a small shop",
    "The committee rejected the budget by one vote",
    "A comet passed close to the sun last Thursday",
    "Please send the invoice to our new address",
    "The goalkeeper broke his wrist in the second half",
    "Moss grows on the northern side of these stones",
    "The compiler warns about an unused variable",
    "Two violins and a cello played in the courtyard",
    "Her passport expired while she was abroad",
    "Bees find their way home by the light of the sky",
    "The bridge is closed to lorries until March",
    "He has been allergic to peanuts since childhood",
    "Interest on the loan is paid every quarter",
    "The old castle was turned into a youth hostel",
    "A thick fog delayed all flights to the island",
    "Children under six travel free of charge",
    "The novel tells of a miner who learns to paint",
    "Copper conducts electricity better than iron",
    "The tailor shortened the sleeves by an inch",
    "Wolves have come back to the valley",
    "Our landlord refuses to mend the boiler",
    "The court heard three witnesses before noon",
    "Nobody laughed at the second joke",
    "A vaccine against the fever is being tested",
    "The chess player offered her opponent a draw",
    "Grapes from this hill ripen in late October",
    "The printer is out of yellow ink",
    "Sailors once feared the rocks near the cape",
    "My neighbour teaches Portuguese at the evening school",
    "The museum bought a mask carved from walnut",
    "Prices of wheat doubled within a year",
    "Turn left at the petrol station and go uphill",
    "The patient slept well after the operation",
    "Dinosaurs of this kind walked on two legs",
    "The choir rehearses in the chapel on Mondays",
    "Rust has eaten through the floor of the van",
    "She photographs bridges at night",
    "The password must have at least twelve characters",
)

REFERENCE = Reference(
    mean_cosine=0.0512,
    ci95=(0.0390, 0.0650),
    sentences=len(SENTENCES),
    pooling="mean",
    width=384,
    model="minilm-l6",
    origin="measured",
)
"""all-MiniLM-L6-v2, an encoder tuned contrastively for similarity, with its published weights in float32."""
