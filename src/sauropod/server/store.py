"""TEMPORARY in-memory stand-in while the real one is written."""
from __future__ import annotations
from typing import Any
import attrs
from sauropod.errors import SauropodError

class StoreError(SauropodError): ...
class MissingRecord(StoreError):
    def __init__(self, id: str) -> None:
        super().__init__(id); self.id = id
@attrs.frozen
class Item: id: str; payload: bytes
@attrs.frozen
class LoggedEvent: sequence: int; payload: bytes
@attrs.frozen
class Page: items: Any; has_more: bool
@attrs.frozen(kw_only=True)
class ResponseRecord:
    id: str; created_at: int; status: str; model: str; previous_response_id: Any = None; conversation_id: Any = None
    background: bool = False; expires_at: Any = None; request: bytes = b""; response: bytes = b""
@attrs.frozen(kw_only=True)
class ConversationRecord: id: str; created_at: int; metadata: bytes
@attrs.frozen(kw_only=True)
class FileRecord: id: str; created_at: int; bytes: int; filename: str; purpose: str; expires_at: Any = None
def page(items, after, limit, order):
    items = list(items) if order == "asc" else list(items)[::-1]
    if after is not None: items = items[[i.id for i in items].index(after)+1:]
    return Page(items[:limit], len(items) > limit)
class Store:
    @classmethod
    async def open(cls, url):
        self = cls(); self.r={}; self.inp={}; self.out={}; self.log_={}; self.c={}; self.ci={}; return self
    async def __aenter__(self): return self
    async def __aexit__(self,*a): pass
    async def begin(self, record, items): self.r[record.id]=record; self.inp[record.id]=list(items); self.log_[record.id]=[]; self.out[record.id]=[]
    async def log(self, id, events): self.log_[id]+=events
    async def finish(self, id, *, status, completed_at, response, output_items, events, conversation_id):
        self.r[id]=attrs.evolve(self.r[id],status=status,response=response); self.out[id]=list(output_items); self.log_[id]+=events
        if conversation_id: self.ci[conversation_id]+=self.inp[id]+self.out[id]
    async def response(self,id): return self.r.get(id)
    async def events(self,id,after): return [e for e in self.log_.get(id,[]) if e.sequence>after]
    async def delete_response(self,id): return self.r.pop(id,None) is not None
    async def input_items(self,id,*,after,limit,order): return page(self.inp[id],after,limit,order)
    async def all_input_items(self,id): return self.inp[id]
    async def chain(self,id):
        if id not in self.r or self.r[id].status=="failed": raise MissingRecord(id)
        p=self.r[id].previous_response_id
        return [*(await self.chain(p) if p else []),*self.inp[id],*self.out[id]]
    async def item(self,id):
        for d in (*self.inp.values(),*self.out.values(),*self.ci.values()):
            for i in d:
                if i.id==id: return i
    async def unfinished(self): return []
    async def create_conversation(self,rec,items): self.c[rec.id]=rec; self.ci[rec.id]=list(items)
    async def conversation(self,id): return self.c.get(id)
    async def set_metadata(self,id,m): self.c[id]=attrs.evolve(self.c[id],metadata=m)
    async def delete_conversation(self,id): return self.c.pop(id,None) is not None
    async def append_items(self,id,items): self.ci[id]+=items
    async def conversation_items(self,id,*,after,limit,order): return page(self.ci[id],after,limit,order)
    async def all_conversation_items(self,id): return self.ci[id]
    async def conversation_item(self,id,i): return next((x for x in self.ci[id] if x.id==i),None)
    async def delete_conversation_item(self,id,i):
        n=len(self.ci[id]); self.ci[id]=[x for x in self.ci[id] if x.id!=i]; return len(self.ci[id])<n
    async def expire(self,now,keep): return 0
    async def ping(self): pass
