/* What the demo shows: a live screen on a terminal, plain lines otherwise, and the summary. */
#include "demo.h"
#include <stdarg.h>
#include <stdio.h>

static double seconds(int64_t ns) {
    return (double)ns / (double)NS_PER_S;
}

void demo_line(struct demo *d, const char *fmt, ...) {
    if (d->style.colour) return;
    va_list ap;
    printf("[%5.1f s] ", seconds(world_mono_ns(d->world.world) - d->start_ns));
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

static void draw_steps(struct demo *d, struct buf *out) {
    int64_t now = world_mono_ns(d->world.world);
    for (size_t i = 0; i < demo_steps; i++) {
        bool past = i < d->step, at = i == d->step && !d->over;
        const char *mark = past ? (d->style.utf8 ? "\x1b[32m✔\x1b[0m" : "\x1b[32m+\x1b[0m")
                           : at ? (d->style.utf8 ? "\x1b[36m▶\x1b[0m" : ">")
                                : " ";
        buf_addf(out, "  %s %s%-74s\x1b[0m", mark, past || at ? "" : "\x1b[2m", demo_step_title(i));
        if (past) buf_addf(out, "%6.1f s", seconds(d->took_ns[i]));
        if (at && d->begun) buf_addf(out, "%6.1f s", seconds(now - d->step_ns));
        buf_addc(out, '\n');
    }
}

void demo_draw(struct demo *d, const struct status_report *b) {
    if (!d->style.colour) return;
    cleanup_buf struct buf out = BUF(1 << 20), report = BUF(1 << 20);
    buf_addf(&out, "\x1b[H\x1b[1m Handover\x1b[0m  demo on the embedded API server, %.1f s\n\n",
             seconds(world_mono_ns(d->world.world) - d->start_ns));
    draw_steps(d, &out);
    buf_addc(&out, '\n');
    status_text(b, &d->style, world_wall_ns(d->world.world), &report);
    buf_add(&out, buf_slice(&report));
    /* every line is cleared to its end, the rest of the screen after the last */
    for (size_t i = 0; i < out.n; i++) {
        if (out.p[i] == '\n') fputs("\x1b[K", stdout);
        putchar(out.p[i]);
    }
    fputs("\x1b[J", stdout);
    fflush(stdout);
}

void demo_summary(struct demo *d) {
    if (d->style.colour) printf("\x1b[H\x1b[2J");
    printf("\n");
    for (size_t i = 0; i < d->step; i++)
        printf("  done  %-74s %5.1f s\n", demo_step_title(i), seconds(d->took_ns[i]));
    if (d->failed) {
        printf("\nThe demo failed: %s\n", d->failure);
        return;
    }
    printf("\n  image update to the canary soaking           %6.1f s\n", seconds(d->canary_ns));
    printf("  failing image to its canary scaled to zero   %6.1f s, stable pods restarted: 0\n",
           seconds(d->rollback_ns));
    printf("  SIGTERM to the Lease released                %6.0f ms (%s)\n",
           1000 * seconds(d->free_ns - d->signalled_ns), d->old_leader);
    printf("  time without a leader                        %6.0f ms (then %s)\n",
           1000 * seconds(d->taken_ns - d->free_ns), d->new_leader);
    printf("  the whole demo                               %6.1f s\n\n",
           seconds(world_mono_ns(d->world.world) - d->start_ns));
}
