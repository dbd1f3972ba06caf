/* What happened, as lines "MICROSECONDS WHO EVENT ...", on CLOCK_REALTIME: the driver, the peer in Go and all
 * processes of the machine share that clock. Each line leaves in one write, so that many processes may share
 * a FIFO. */
#ifndef BENCH_LEDGER_H
#define BENCH_LEDGER_H

/* who: a word, borrowed. To the file that LEDGER names, else to stdout. 0 or a negative errno. */
int ledger_open(const char *who);
void ledger(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, but kept with its time until ledger_flush(): for lines in the middle of what is measured. */
void ledger_keep(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ledger_flush(void);
#endif
