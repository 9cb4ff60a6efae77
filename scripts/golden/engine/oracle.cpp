// Asks llama.cpp for token ids and first-token logprobs; see README.md beside this file.
//
//   oracle tokenize MODEL FLAGS < lines     one line of ids for each line of text
//   oracle logprobs MODEL TOP   < lines     one line `count id:logprob id:logprob ...` for each prompt
//
// FLAGS holds `s` to add special tokens and `p` to parse them. Input lines write \n, \r and \\ for newline, carriage
// return and backslash.
#include "llama.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

static std::string unescape(const std::string & line) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size()) {
            const char next = line[++i];
            text += next == 'n' ? '\n' : next == 'r' ? '\r' : next;
        } else {
            text += line[i];
        }
    }
    return text;
}

static std::vector<llama_token> tokenize(const llama_vocab * vocab, const std::string & text, bool add, bool parse) {
    std::vector<llama_token> ids(text.size() + 8);
    const int count = llama_tokenize(vocab, text.data(), (int) text.size(), ids.data(), (int) ids.size(), add, parse);
    if (count < 0) {
        fprintf(stderr, "tokenize needs %d ids\n", -count);
        exit(1);
    }
    ids.resize(count);
    return ids;
}

static void print_logprobs(llama_model * model, const std::string & text, int top) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 1024;
    params.n_batch = 1024;
    params.n_threads = params.n_threads_batch = 1;
    // Keys and values in F32 leave the weights' own rounding as the only difference.
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    llama_context * context = llama_init_from_model(model, params);
    std::vector<llama_token> ids = tokenize(vocab, text, true, true);
    if (context == nullptr || llama_decode(context, llama_batch_get_one(ids.data(), (int) ids.size())) != 0) {
        fprintf(stderr, "decode failed\n");
        exit(1);
    }
    const float * logits = llama_get_logits_ith(context, -1);
    const int count = llama_vocab_n_tokens(vocab);
    double sum = 0;
    const float largest = *std::max_element(logits, logits + count);
    for (int i = 0; i < count; ++i) {
        sum += std::exp((double) logits[i] - largest);
    }
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
    printf("%zu", ids.size());
    for (int i = 0; i < std::min(top, count); ++i) {
        printf(" %d:%.6f", order[i], logits[order[i]] - largest - std::log(sum));
    }
    printf("\n");
    llama_free(context);
}

int main(int argc, char ** argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: oracle tokenize|logprobs MODEL FLAGS|TOP < lines\n");
        return 2;
    }
    const bool logprobs = strcmp(argv[1], "logprobs") == 0;
    llama_log_set([](ggml_log_level level, const char * text, void *) {
        if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
    }, nullptr);
    llama_backend_init();
    llama_model_params params = llama_model_default_params();
    params.vocab_only = !logprobs;
    llama_model * model = llama_model_load_from_file(argv[2], params);
    if (model == nullptr) return 1;
    std::string line;
    while (std::getline(std::cin, line)) {
        const std::string text = unescape(line);
        if (logprobs) {
            print_logprobs(model, text, atoi(argv[3]));
            continue;
        }
        const auto ids = tokenize(llama_model_get_vocab(model), text, strchr(argv[3], 's'), strchr(argv[3], 'p'));
        for (size_t i = 0; i < ids.size(); ++i) {
            printf(i == 0 ? "%d" : " %d", ids[i]);
        }
        printf("\n");
    }
    llama_model_free(model);
    return 0;
}
