/* Workloads and their pods in tests of reports, and what a report counts. */
#ifndef UNIT_REHEARSE_REPORT_WORKLOADS_H
#define UNIT_REHEARSE_REPORT_WORKLOADS_H
#include "report_case.h"

#define TEMPLATE(image)                                                                                      \
    "'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'" image "'}]}}"
#define WORKLOAD(name, more, image)                                                                          \
    "{'metadata':{'namespace':'shop','name':'" name "'},'spec':{" more TEMPLATE(image) "}}"
#define BARE(name) "{'metadata':{'namespace':'shop','name':'" name "'}}"

static inline void counts(const struct report *r, const char *want) {
    cleanup_buf struct buf b = BUF(1024);
    for (unsigned k = 0; k < REPORT_KINDS; k++) {
        uint64_t n = report_count(r, (enum report_kind)k);
        if (n) buf_addf(&b, "%s%s=%u", b.n ? " " : "", report_kind_name((enum report_kind)k), (unsigned)n);
    }
    assert_string_equal(buf_str(&b), want);
}

#define POD(name, kind, owner, hash)                                                                         \
    "{'metadata':{'namespace':'shop','name':'" name "','labels':{'pod-template-hash':'" hash "'},"           \
    "'ownerReferences':[{'apiVersion':'apps/v1','kind':'" kind "','name':'" owner "','controller':true}]}}"
#endif
