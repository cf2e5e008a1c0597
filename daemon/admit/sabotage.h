/* Deliberate faults for the chaos checker's own test: CONVERGE_SABOTAGE compiles
 * one of them in, and the checker has to catch it (tests/chaos/sabotage). All
 * are 0 in every other build. */
#pragma once

#ifndef SABOTAGE_ACK_BEFORE_STORE
#define SABOTAGE_ACK_BEFORE_STORE 0
#endif
#ifndef SABOTAGE_DEDUPE_OFF
#define SABOTAGE_DEDUPE_OFF 0
#endif
#ifndef SABOTAGE_DROP_1_IN_1000
#define SABOTAGE_DROP_1_IN_1000 0
#endif
