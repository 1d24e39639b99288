"""PURE. The Realtime API: what clients send as values, and what happens in a session as events. No await, no clock."""
