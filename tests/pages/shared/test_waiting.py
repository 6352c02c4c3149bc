"""The queue in front of the analyser: order, places, who gives up, and its bound."""

import threading
import time

import pytest

from pages.components.shared import waiting
from pages.components.shared.waiting import Queue, QueueFullError
from tests.pages.driver import read_text, run, upload

TIMEOUT_S = 30


def wait_until(condition) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def never(before: int) -> None:
    pytest.fail("nobody is in front")


class Visitor(threading.Thread):
    """Waits for its turn, notes its places, and holds the turn until it is let go."""

    def __init__(self, queue: Queue, order: list, name: str):
        super().__init__(daemon=True, name=name)
        self.queue, self.order, self.places = queue, order, []
        self.leave = threading.Event()
        self.start()

    def run(self) -> None:
        with self.queue.turn(self.places.append):
            self.order.append(self.name)
            assert self.leave.wait(TIMEOUT_S)


def test_turns_come_one_at_a_time_in_the_order_of_arrival_and_places_are_said():
    queue, order, visitors = Queue(), [], []
    for number in range(4):
        visitors.append(Visitor(queue, order, str(number)))
        wait_until(lambda count=number + 1: len(queue) == count)
    for number, visitor in enumerate(visitors):
        wait_until(lambda count=number + 1: len(order) == count)
        assert order[-1] == visitor.name
        visitor.leave.set()
        visitor.join(TIMEOUT_S)
    assert order == ["0", "1", "2", "3"] and len(queue) == 0
    assert visitors[0].places == [] and set(visitors[3].places) <= {3, 2, 1}
    assert visitors[3].places == sorted(visitors[3].places, reverse=True)


def test_who_gives_up_leaves_the_queue_and_the_next_moves_up(monkeypatch):
    monkeypatch.setattr(waiting, "SAY_AGAIN_S", 0.01)
    queue, order = Queue(), []

    def give_up(before: int) -> None:
        raise KeyboardInterrupt

    first = Visitor(queue, order, "first")
    wait_until(lambda: order == ["first"])
    with pytest.raises(KeyboardInterrupt), queue.turn(give_up):
        pytest.fail("it was not its turn")
    assert len(queue) == 1
    first.leave.set()
    first.join(TIMEOUT_S)
    with queue.turn(never):
        assert len(queue) == 1


def test_an_analysis_that_fails_frees_its_place():
    queue = Queue()
    with pytest.raises(ValueError), queue.turn(never):
        raise ValueError
    with queue.turn(never):
        pass


def test_the_queue_is_bounded(monkeypatch):
    monkeypatch.setenv("DERMALENS_WAITING", "1")
    queue, order = Queue(), []
    visitors = [Visitor(queue, order, "works")]
    wait_until(lambda: len(queue) == 1)
    visitors.append(Visitor(queue, order, "waits"))
    wait_until(lambda: len(queue) == 2)
    with pytest.raises(QueueFullError, match="1 visitors already wait"), queue.turn(never):
        pytest.fail("there was no room")
    for visitor in visitors:
        visitor.leave.set()
        visitor.join(TIMEOUT_S)


# --- the page ---------------------------------------------------------------------------------------
def add_sample(app):
    app.button(key="sample_0").click()
    return run(app)


def test_a_visitor_sees_the_place_and_then_the_result(app, monkeypatch):
    monkeypatch.setattr(waiting, "SAY_AGAIN_S", 0.05)
    said, describe = [], waiting.describe_place
    other = Visitor(waiting.ANALYSES, [], "other")
    wait_until(lambda: len(waiting.ANALYSES) == 1)

    def note(before: int) -> str:
        said.append(describe(before))
        other.leave.set()
        return said[-1]

    monkeypatch.setattr(waiting, "describe_place", note)
    shown = add_sample(app)
    assert said[0] == "Waiting: 1 visitor before you …"
    assert "Probability of malignancy" in read_text(shown) and len(waiting.ANALYSES) == 0


def test_one_too_many_is_told_to_come_back(app, monkeypatch):
    def refuse(self, on_wait):
        raise QueueFullError("1 visitors already wait for an analysis. Try again in a minute.")

    with monkeypatch.context() as patch:
        patch.setattr(Queue, "turn", refuse)
        shown = add_sample(app)
        assert "Try again in a minute" in read_text(shown)
        assert "Probability of malignancy" not in read_text(shown)
    assert "Probability of malignancy" in read_text(run(shown))


def test_each_image_has_a_turn_of_its_own(app, monkeypatch, phantom_png, bare_skin_png):
    turns, turn = [], Queue.turn
    monkeypatch.setattr(Queue, "turn", lambda self, on_wait: turns.append(1) or turn(self, on_wait))
    upload(app, ("a.png", phantom_png), ("b.png", bare_skin_png))
    assert len(turns) == 2
