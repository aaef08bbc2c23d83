"""What happens, told to others: lists of events, server-sent events, webhooks, alerts.

All of them tell the same events of the index in the order of the chain, each with a cursor to go on
from, so that whoever was away misses nothing. `events` answers and streams; `webhooks` keeps who is
to be told and how far each one is, `delivery` tells them; `alerts` watches due times.
"""
