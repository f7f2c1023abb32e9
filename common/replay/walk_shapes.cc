#include "common/replay/walk_shapes.h"

namespace pygc::replay {

void put_shapes(const SweepRequest& request, protocol::Walk& walk) {
  walk.immortal = request.immortal_objects ? 1 : 0;
  walk.sampled_type = request.sampled_type;
  walk.refcount_mask = request.refcount_mask;
  walk.gc_next = request.gc_next;
  walk.ob_refcnt = request.ob_refcnt;
  walk.tp_base = request.tp_base;
  walk.ob_size = request.ob_size;
  walk.tuple_type = request.tuple_type;
  walk.tuple_items = request.tuple_items;
  walk.dict_type = request.dict_type;
  walk.ma_keys = request.ma_keys;
  walk.ma_values = request.ma_values;
  walk.dk_kind = request.dk_kind;
}

} // namespace pygc::replay
