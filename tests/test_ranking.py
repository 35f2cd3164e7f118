"""Which diagnosis leads, and what is folded into it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from whygrad.diagnosis import Confidence, Diagnosis, Evidence, Experiment, Fact, Severity
from whygrad.diagnosis import Test as Wanted
from whygrad.ir import Lift, Site
from whygrad.ranking import rank

NO_GRADIENT = Fact("no-gradient", "w")
UNMOVED = Fact("unmoved", "w")
CONSTANT = Fact("constant-loss", "0")
RAISED = Fact("exception", "RuntimeError")
SENTENCE = {RAISED: "the program stopped with RuntimeError: element 0"}


def diagnosis(
    rule: str,
    facts: Iterable[Fact] = (),
    explains: Iterable[Fact] = (),
    *,
    severity: Severity = "error",
    confidence: Confidence = "proved",
    line: int = 1,
    **more: Any,
) -> Diagnosis:
    return Diagnosis(
        rule,
        rule.lower(),
        severity,
        confidence,
        f"{rule} speaks",
        site=Site("a.py", line),
        facts=frozenset(facts),
        explains=frozenset(explains),
        **more,
    )


def led_by(*given: Diagnosis) -> list[tuple[str, bool]]:
    return [(found.rule, found.root_cause) for found in rank(given, SENTENCE)]


def test_what_follows_is_folded_into_its_cause() -> None:
    cut = diagnosis("WG301", [NO_GRADIENT], [UNMOVED])
    found = rank([diagnosis("WG417", [UNMOVED]), cut], {})

    assert [(one.rule, one.root_cause) for one in found] == [("WG301", True), ("WG417", False)]
    assert [symptom.rule for symptom in found[0].symptoms] == ["WG417"]


def test_facts_of_the_run_become_symptoms() -> None:
    found = rank([diagnosis("WG301", [NO_GRADIENT], [RAISED])], SENTENCE)

    assert [symptom.message for symptom in found[0].symptoms] == [SENTENCE[RAISED]]


def test_a_diagnosis_without_facts_is_never_folded() -> None:
    assert led_by(diagnosis("WG301", [NO_GRADIENT], [UNMOVED]), diagnosis("WG205")) == [("WG301", True), ("WG205", True)]


def test_only_part_of_the_facts_explained_is_not_enough() -> None:
    assert led_by(diagnosis("WG301", [NO_GRADIENT], [UNMOVED]), diagnosis("WG401", [UNMOVED, CONSTANT]))[1] == ("WG401", True)


def test_a_chain_has_one_root() -> None:
    chain = [diagnosis("WG417", [UNMOVED]), diagnosis("WG303", [NO_GRADIENT], [UNMOVED]), diagnosis("WG305", [CONSTANT], [NO_GRADIENT])]

    found = rank(chain, {})

    assert [one.rule for one in found if one.root_cause] == ["WG305"]
    assert [symptom.rule for symptom in found[0].symptoms] == ["WG303", "WG417"]


def test_of_two_that_explain_each_other_the_surer_leads() -> None:
    first = diagnosis("WG401", [NO_GRADIENT], [UNMOVED], confidence="suspected")
    second = diagnosis("WG402", [UNMOVED], [NO_GRADIENT])

    assert led_by(first, second) == [("WG402", True), ("WG401", False)]


def test_a_circle_of_three_has_one_root() -> None:
    circle = [
        diagnosis("WG301", [NO_GRADIENT], [UNMOVED]),
        diagnosis("WG302", [UNMOVED], [CONSTANT]),
        diagnosis("WG303", [CONSTANT], [NO_GRADIENT]),
    ]

    assert sum(found.root_cause for found in rank(circle, {})) == 1


def test_order_of_root_causes() -> None:
    given = [
        diagnosis("WG113", severity="note"), diagnosis("WG306", severity="warning"), diagnosis("WG203", confidence="measured"), diagnosis("WG206"),
    ]  # fmt: skip

    assert [rule for rule, _ in led_by(*given)] == ["WG206", "WG203", "WG306", "WG113"]


def test_a_loss_is_not_called_on_its_way_beside_an_error() -> None:
    falling = diagnosis("WG420", severity="note")

    assert led_by(falling, diagnosis("WG306", severity="warning")) == [("WG306", True), ("WG420", True)]
    assert led_by(falling, diagnosis("WG206")) == [("WG206", True)]


def test_residual_rules_fall_silent_where_something_explains() -> None:
    residual = diagnosis("WG311", [CONSTANT])

    assert led_by(residual) == [("WG311", True)]
    assert led_by(residual, diagnosis("WG301", [NO_GRADIENT], [CONSTANT])) == [("WG301", True)]


def test_what_needs_a_verdict_is_dropped_without_one() -> None:
    test = Wanted(Lift(("d",)), "it learns", required=True)
    outcome = Experiment("lift", "it learns", "confirmed")

    assert led_by(diagnosis("WG319", test=test)) == []
    assert led_by(diagnosis("WG319", test=test, experiment=replace(outcome, verdict="refuted"))) == []
    assert led_by(diagnosis("WG319", test=test, experiment=outcome)) == [("WG319", True)]


def test_the_same_in_two_steps_is_said_once() -> None:
    assert len(rank([diagnosis("WG301", step=0), diagnosis("WG301", step=1)], {})) == 1
    assert len(rank([diagnosis("WG301"), diagnosis("WG301", line=2)], {})) == 2


def test_a_figure_in_the_evidence_is_not_told_again_as_a_symptom() -> None:
    silent = Fact("insensitive", "0")
    speaks = diagnosis("WG101", explains=[silent], evidence=(Evidence("same", "label_sensitivity", 0.0),))

    assert rank([speaks], {silent: "label sensitivity is 0"})[0].symptoms == ()


FACTS = st.frozensets(st.sampled_from([NO_GRADIENT, UNMOVED, CONSTANT, RAISED]))


@given(st.lists(st.tuples(FACTS, FACTS, st.sampled_from(["proved", "measured", "suspected"])), max_size=6))
def test_every_diagnosis_is_told_once_and_something_leads(given: Any) -> None:
    diagnoses = [diagnosis(f"WG1{at:02}", facts, explains, confidence=sure) for at, (facts, explains, sure) in enumerate(given)]

    found = rank(diagnoses, SENTENCE)

    assert sorted(one.rule for one in found) == sorted(one.rule for one in diagnoses)
    assert not found or found[0].root_cause
