"""Functions that wait, beside an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(run: Callable[[], Result]) -> Result:
    """Runs a function in a thread that ends with the process: one that never returns holds up no end of the server.

    Threads of :mod:`concurrent.futures` are waited for at the end of the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def tell(result: Result | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, failed = None, None
        try:
            result = run()
        except BaseException as error:
            failed = error
        try:
            loop.call_soon_threadsafe(tell, result, failed)
        except RuntimeError:
            return  # the loop has ended meanwhile, and nobody waits

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="bot-handler", daemon=True).start()
    return await done
