/* A change of the business configuration is answered when it is in force here,
 * so that who changes a rule and then writes meets the new one. */
#pragma once

struct api_call;

typedef void in_force_fn(struct api_call *call);
/* then is called on a later turn, with the configuration read again after the change. */
void in_force_then(struct api_call *call, in_force_fn *then);
