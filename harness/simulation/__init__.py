"""An event loop whose seconds and steps are our own, so that a run happens the same way each time.

clock.py holds virtual time, schedule.py what runs next, loop.py gives both the face of asyncio.
"""
