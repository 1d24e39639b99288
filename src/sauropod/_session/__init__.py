"""A live conversation: `Session`, what it is made of, and what happens in it.

frame → Listening → Hearing ─ signs ─▶ Conductor ◀─ signs ─ Answering ← Replying → Player → events
                                          │ acts
                                        Turns, the table
"""
