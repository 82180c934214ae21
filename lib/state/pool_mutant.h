/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_POOL_MUTANT_H
#define VYX_STATE_POOL_MUTANT_H

/*
 * pool_mutant - rules of the edge that its model test takes out, one by one,
 * to see that it notices: tests/unit/pool_model.c defines VYX_MUTANT before it
 * includes the modules. Everywhere else it is the constant 0.
 */
#ifndef VYX_MUTANT
#define VYX_MUTANT 0
#endif

#define VYX_MUTANT_REPORT 1   /* no second report after a conn */
#define VYX_MUTANT_FIFO 2     /* any waiter first, however young */
#define VYX_MUTANT_SETTLE 3   /* poold dials at once after a start */
#define VYX_MUTANT_SHUTDOWN 4 /* a dead router's loans are not ended */
#define VYX_MUTANT_STUCK 6    /* silent requests are not heard of */
#define VYX_MUTANT_MARK 5     /* a void is not remembered */

#endif
