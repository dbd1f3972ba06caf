/* All that an operator on libhandover includes. Which headers are the interface, and what changes with which version:
 * docs/reference/library.md. */
#ifndef HANDOVER_H
#define HANDOVER_H

/* Raised with each change after which a program that compiled does not, or behaves otherwise. */
#define HANDOVER_API 1
/* The checkpoint's text that is written; docs/reference/checkpoint.md. */
#define HANDOVER_CHECKPOINT 1

#include "api/gvr.h"
#include "api/meta.h"
#include "api/rfc3339.h"
#include "app/leadership.h"
#include "app/termination_grace.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/slice.h"
#include "base/time.h"
#include "control/controller.h"
#include "kube/client.h"
#include "kube/events.h"
#include "kube/informer.h"
#include "kube/list.h"
#include "leader/checkpoint.h"
#include "leader/election.h"
#include "loop/loop.h"
#include "net/net.h"
#include "obs/obs.h"
#include "world/world.h"
#endif
