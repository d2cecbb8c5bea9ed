"""Every kind of document by its name in the contract: those the project prints, and the two that people write."""

from __future__ import annotations

from pydantic import BaseModel

from advisor.core.comparison import Comparison
from advisor.core.explain.document import Explanation, ExplanationsDocument
from advisor.core.guide.documents import RulesDiffDocument, RulesDocument, RulesProofDocument
from advisor.core.guide.recommendation import Recommendation
from advisor.core.history import HistoryDocument
from advisor.core.inspection import Inspection
from advisor.core.machine_report import MachineReport
from advisor.core.model.document import ModelDocument, ModelsDocument
from advisor.core.problems import ErrorDocument
from advisor.core.report import Report
from advisor.core.review.declared import ArchitectureFile
from advisor.core.review.document import CheckDocument
from advisor.core.sizing.measurement import Profile
from advisor.core.workload import Answers

DOCUMENTS: dict[str, type[BaseModel]] = {
    "workload": Answers,
    "architecture": ArchitectureFile,
    "recommendation": Recommendation,
    "profile": Profile,
    "report": Report,
    "models": ModelsDocument,
    "model": ModelDocument,
    "rules": RulesDocument,
    "rules-proof": RulesProofDocument,
    "rules-diff": RulesDiffDocument,
    "explanation": Explanation,
    "explanations": ExplanationsDocument,
    "comparison": Comparison,
    "history": HistoryDocument,
    "machine": MachineReport,
    "inspection": Inspection,
    "check": CheckDocument,
    "error": ErrorDocument,
}
WRITTEN: tuple[str, ...] = ("workload", "architecture")
"""The kinds that people write and the project only reads."""
