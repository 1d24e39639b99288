/* Utterances: what flite's clustergen voices say, as segments and vocoder parameters.
 *
 *   utterances slt|rms|awb PARAMETERS < SENTENCES > SEGMENTS
 *
 * A line in is a sentence; a line may hold several that flite speaks as one. Out come, for every line,
 *
 *   U <frames> <channels> <strengths> <alpha> <beta> <gain>
 *   S <phone> <end, s> <stress> <word> <starts word> <prepunctuation> <punctuation>     for each segment
 *
 * separated by tabs, and in PARAMETERS, as little-endian float32, row by row: for every frame of 5 ms its F0 in Hz
 * (0 where unvoiced), the mel-cepstrum, and the strengths of the pulses in each band (cst_cg.h of flite 2.2).
 *
 * The parameters are taken where flite would hand them to its vocoder: mlsa_resynthesis() below stands in for the
 * library's own, so no time is spent on waves that nobody hears.
 */
#include <flite/flite.h>
#include <flite/cst_cg.h>
#include <stdio.h>
#include <string.h>

cst_voice *register_cmu_us_slt(const char *), *register_cmu_us_rms(const char *), *register_cmu_us_awb(const char *);

static FILE *parameters;

cst_wave *mlsa_resynthesis(const cst_track *track, const cst_track *strengths, cst_cg_db *db,
                           cst_audio_streaming_info *streaming, int speech_parameter)
{
    int bands = strengths ? strengths->num_channels : 0;
    cst_wave *wave = new_wave();

    (void)streaming, (void)speech_parameter;
    for (int t = 0; t < track->num_frames; t++) {
        fwrite(track->frames[t], sizeof(float), track->num_channels, parameters);
        if (bands)
            fwrite(strengths->frames[t], sizeof(float), bands, parameters);
    }
    printf("U\t%d\t%d\t%d\t%g\t%g\t%g\n", track->num_frames, track->num_channels, bands, db->mlsa_alpha,
           db->mlsa_beta, db->gain);
    cst_wave_resize(wave, 1, 1);
    wave->sample_rate = db->sample_rate;
    return wave;
}

static const char *feature(const cst_item *segment, const char *path)
{
    const char *value = ffeature_string(segment, path);
    return strcmp(value, "0") ? value : "";
}

static void print_segments(cst_utterance *utterance)
{
    const cst_item *before = NULL;
    for (cst_item *s = relation_head(utt_relation(utterance, "Segment")); s; s = item_next(s)) {
        const cst_item *word = path_to_item(s, "R:SylStructure.parent.parent");
        const cst_item *next = item_next(s) ? path_to_item(item_next(s), "R:SylStructure.parent.parent") : NULL;
        int last = word && !(next && cst_streq(item_feat_string(next, "name"), item_feat_string(word, "name")) &&
                             next == word);
        const char *marks = "R:SylStructure.parent.parent.R:Token.parent.";
        char before_marks[96], after_marks[96];
        int token_ends = last && !path_to_item(s, "R:SylStructure.parent.parent.R:Token.n");
        int token_starts = word && word != before && !path_to_item(s, "R:SylStructure.parent.parent.R:Token.p");
        snprintf(before_marks, sizeof before_marks, "%sprepunctuation", marks);
        snprintf(after_marks, sizeof after_marks, "%spunc", marks);
        printf("S\t%s\t%.4f\t%s\t%s\t%d\t%s\t%s\n", item_feat_string(s, "name"), ffeature_float(s, "end"),
               word ? ffeature_string(s, "R:SylStructure.parent.stress") : "",
               word ? item_feat_string(word, "name") : "", word && word != before,
               token_starts ? feature(s, before_marks) : "", token_ends ? feature(s, after_marks) : "");
        before = word;
    }
}

int main(int count, char **arguments)
{
    static char line[4096];
    cst_voice *voice = NULL;

    if (count != 3 || !(parameters = fopen(arguments[2], "wb")))
        return 2;
    flite_init();
    if (!strcmp(arguments[1], "slt"))
        voice = register_cmu_us_slt(NULL);
    else if (!strcmp(arguments[1], "rms"))
        voice = register_cmu_us_rms(NULL);
    else if (!strcmp(arguments[1], "awb"))
        voice = register_cmu_us_awb(NULL);
    else
        return 2;
    while (fgets(line, sizeof line, stdin)) {
        cst_utterance *utterance = flite_synth_text(line, voice);
        print_segments(utterance);
        delete_utterance(utterance);
    }
    return fclose(parameters) != 0;
}
