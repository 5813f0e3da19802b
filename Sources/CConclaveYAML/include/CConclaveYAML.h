#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// libyaml's event interface, without its unions: Swift sees plain fields.

enum {
    CONCLAVE_YAML_ERROR = -1,
    CONCLAVE_YAML_END = 0,
    CONCLAVE_YAML_DOCUMENT_START,
    CONCLAVE_YAML_DOCUMENT_END,
    CONCLAVE_YAML_SCALAR,
    CONCLAVE_YAML_ALIAS,
    CONCLAVE_YAML_SEQUENCE_START,
    CONCLAVE_YAML_SEQUENCE_END,
    CONCLAVE_YAML_MAPPING_START,
    CONCLAVE_YAML_MAPPING_END,
};

/// One event. `text` is a scalar's value or an error's description (without a zero at the end) and
/// lives until the next call for the same parser. Lines and columns begin at 0.
typedef struct {
    int32_t kind;
    bool is_plain;
    const uint8_t *text;
    size_t text_byte_count;
    size_t line;
    size_t column;
} conclave_yaml_event;

typedef struct conclave_yaml_parser conclave_yaml_parser;

/// A parser over bytes that must outlive it; null without memory.
conclave_yaml_parser *conclave_yaml_open(const uint8_t *bytes, size_t byte_count);
void conclave_yaml_next(conclave_yaml_parser *parser, conclave_yaml_event *event);
void conclave_yaml_close(conclave_yaml_parser *parser);
