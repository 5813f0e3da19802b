#include "CConclaveYAML.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct conclave_yaml_parser {
    yaml_parser_t parser;
    yaml_event_t event;
};

conclave_yaml_parser *conclave_yaml_open(const uint8_t *bytes, size_t byte_count) {
    conclave_yaml_parser *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return NULL;
    if (!yaml_parser_initialize(&opened->parser)) {
        free(opened);
        return NULL;
    }
    yaml_parser_set_input_string(&opened->parser, bytes, byte_count);
    return opened;
}

static int32_t kind_of(yaml_event_type_t type) {
    switch (type) {
    case YAML_DOCUMENT_START_EVENT: return CONCLAVE_YAML_DOCUMENT_START;
    case YAML_DOCUMENT_END_EVENT: return CONCLAVE_YAML_DOCUMENT_END;
    case YAML_SCALAR_EVENT: return CONCLAVE_YAML_SCALAR;
    case YAML_ALIAS_EVENT: return CONCLAVE_YAML_ALIAS;
    case YAML_SEQUENCE_START_EVENT: return CONCLAVE_YAML_SEQUENCE_START;
    case YAML_SEQUENCE_END_EVENT: return CONCLAVE_YAML_SEQUENCE_END;
    case YAML_MAPPING_START_EVENT: return CONCLAVE_YAML_MAPPING_START;
    case YAML_MAPPING_END_EVENT: return CONCLAVE_YAML_MAPPING_END;
    default: return CONCLAVE_YAML_END;
    }
}

static void describe_error(const yaml_parser_t *parser, conclave_yaml_event *event) {
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
    event->kind = CONCLAVE_YAML_ERROR;
    event->text = (const uint8_t *)problem;
    event->text_byte_count = strlen(problem);
    event->line = parser->problem_mark.line;
    event->column = parser->problem_mark.column;
}

void conclave_yaml_next(conclave_yaml_parser *opened, conclave_yaml_event *event) {
    memset(event, 0, sizeof *event);
    yaml_event_delete(&opened->event);
    do {
        if (!yaml_parser_parse(&opened->parser, &opened->event)) {
            describe_error(&opened->parser, event);
            return;
        }
    } while (opened->event.type == YAML_STREAM_START_EVENT);
    event->kind = kind_of(opened->event.type);
    event->line = opened->event.start_mark.line;
    event->column = opened->event.start_mark.column;
    if (opened->event.type == YAML_SCALAR_EVENT) {
        event->is_plain = opened->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        event->text = opened->event.data.scalar.value;
        event->text_byte_count = opened->event.data.scalar.length;
    }
}

void conclave_yaml_close(conclave_yaml_parser *opened) {
    yaml_event_delete(&opened->event);
    yaml_parser_delete(&opened->parser);
    free(opened);
}
