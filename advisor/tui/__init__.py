"""The questionnaire in a terminal: Describe, Measure, Verdict. It decides and computes nothing itself."""
