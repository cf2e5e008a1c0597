/* /openapi.json, generated from the route table and schemas.json. */
#pragma once

struct buf;

void openapi_write(struct buf *body);
