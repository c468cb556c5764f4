"""A Failure holds an exception and where it was raised, and nothing else alive."""

import gc
import io
import weakref

import pytest

from weblayer.loop.failure import Failure, NoCurrentExceptionError


def broken():
    raise ValueError("broken")


def failure_of(call):
    try:
        call()
    except Exception:
        return Failure()


def test_without_an_argument_it_is_the_exception_being_handled():
    """Failure() in an except block holds the exception, its type and its message."""
    failure = failure_of(broken)
    assert failure.type is ValueError
    assert failure.getErrorMessage() == "broken"
    assert (str(failure), repr(failure)) == ("ValueError: broken", "<Failure ValueError: broken>")


def test_outside_of_an_except_block_it_says_what_to_do():
    """Failure() where nothing is being handled is an error that tells how to make one."""
    with pytest.raises(NoCurrentExceptionError, match=r"Failure\(error\)"):
        Failure()


@pytest.mark.parametrize("wrong", ["text", ValueError])
def test_only_an_exception_can_fail(wrong):
    """What is no exception instance is a TypeError that names the parameter."""
    with pytest.raises(TypeError, match="exc must be"):
        Failure(wrong)


def test_check_gives_the_first_type_that_fits():
    """`check` answers with the given type that matches, a base class too, or None."""
    failure = Failure(FileNotFoundError())
    assert failure.check(KeyError, OSError, FileNotFoundError) is OSError
    assert failure.check(KeyError) is None


def test_trap_lets_others_pass():
    """`trap` gives the type that fits, and raises the very exception when none does."""
    failure = Failure(KeyError("k"))
    assert failure.trap(ValueError, KeyError) is KeyError
    with pytest.raises(KeyError) as raised:
        failure.trap(ValueError)
    assert raised.value is failure.value


def test_the_traceback_names_the_place():
    """The full, the brief and the printed traceback all tell where it was raised."""
    failure = failure_of(broken)
    written = io.StringIO()
    failure.printTraceback(written)
    assert written.getvalue() == failure.getTraceback()
    assert failure.getTraceback().endswith("ValueError: broken\n")
    assert 'raise ValueError("broken")' in failure.getTraceback()
    brief = failure.getBriefTraceback().splitlines()
    assert brief[0] == "Traceback: ValueError: broken"
    assert brief[-1].endswith(":broken")
    assert "test_failure.py" in brief[-1]


def test_the_printed_traceback_goes_to_standard_error(capsys):
    """Without a file, printTraceback writes to standard error."""
    Failure(ValueError("seen")).printTraceback()
    assert capsys.readouterr().err == "ValueError: seen\n"


def test_an_exception_that_cannot_be_shown_is_still_a_failure():
    """A broken __str__ does not hide that something failed."""

    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert "cannot be shown" in str(Failure(Mute()))


def test_raising_it_again_does_not_grow_the_traceback():
    """However often it is raised, the traceback begins where it was raised first."""
    failure = failure_of(broken)
    depths = []
    for _ in range(3):
        with pytest.raises(ValueError, match="broken") as raised:
            failure.raiseException()
        depths.append(len(raised.traceback))
    assert len(set(depths)) == 1


def test_raising_it_leaves_no_cycle():
    """After it was raised and handled, nothing but its holder keeps the exception alive."""

    class Seen(Exception):
        pass

    def use():
        try:
            Failure(Seen()).trap(KeyError)
        except Seen as error:
            return weakref.ref(error)

    gc.disable()
    try:
        assert use()() is None
    finally:
        gc.enable()
