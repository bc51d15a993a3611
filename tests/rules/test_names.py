"""Any name somebody takes: the label ends in the id, or is the id itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fedbot.rules import names

SERVER = "example.org"
TRICKY = st.text(st.sampled_from("ab() \n\u202e\u200b（）[]@:Рp"), max_size=60) | st.text(max_size=60)


@given(TRICKY)
def test_a_spaces_label_always_has_its_id_unless_the_name_is_the_id(name: str) -> None:
    label = names.of_party(name, "gammaspace")
    assert label.lower() == "gammaspace" or label.endswith(" (gammaspace)")
    assert label.isprintable()
    assert label.count("(") == label.count(")") <= 1


@given(TRICKY, st.sampled_from(["@kim:example.org", "@piet:example.net"]))
def test_a_persons_label_always_has_the_account_unless_the_name_is_the_account(name: str, person: str) -> None:
    label = names.of_person(name, person, SERVER)
    assert (person.endswith(SERVER) and label.lower() == "kim") or label == person or label.endswith(f" ({person})")
    assert label.isprintable()


@given(TRICKY)
def test_a_label_labels_itself_and_gives_the_name_back(name: str) -> None:
    space = names.of_party(name, "beta")
    assert names.of_party(space, "beta") == space
    person = names.of_person(name, "@kim:x", SERVER)
    assert names.of_person(person, "@kim:x", SERVER) == person


def test_the_history_names_account_user_and_the_claiming_space() -> None:
    assert names.in_history("Piet", "@kim:x", "kim", "alpha") == "Piet (@kim:x, InvenTree user kim)"
    assert names.in_history("Bea", "@bea:y", "", "betaspace") == "Bea (@bea:y of betaspace)"
    assert names.in_history("", "@bea:y", "", "betaspace") == "@bea:y of betaspace"


def test_a_long_matrix_id_is_never_cut_and_leaves_room_for_the_other_person() -> None:
    long = f"@{'a' * 230}:example.net"
    assert names.in_history("Piet", long, "", "betaspace") == f"{long} of betaspace"
    assert len(names.of_person("x" * 99, long, SERVER)) <= names.LONGEST_LABEL
