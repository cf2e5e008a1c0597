#include <event2/event.h>
#include <hiredis/async.h>
#include <stdio.h>
#include <sys/queue.h>
